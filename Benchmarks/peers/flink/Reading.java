/** A crane's or a monitor's reading: the fields that the queries read. A POJO to Flink. */
public final class Reading {
    public String device;
    public long time;
    public double load;
    public double radius;
    public double tsp;
}
