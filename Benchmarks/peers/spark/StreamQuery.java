import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapGroupsWithStateFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.streaming.GroupState;
import org.apache.spark.sql.streaming.GroupStateTimeout;
import org.apache.spark.sql.streaming.OutputMode;
import org.apache.spark.sql.streaming.Trigger;

/**
 * The queries in Spark Structured Streaming. usage: StreamQuery c1|d1|d2 INPUT OUTPUT-DIRECTORY
 *
 * <p>One core, one partition, everything in one batch
 * (available now), state in memory. Windows after the last watermark do not come out: Spark ends
 * without a flush.
 */
public final class StreamQuery {
    private static final double[][] CHART = {
        {2.5, 6.0}, {13.7, 6.0}, {16, 5.0}, {20, 3.9}, {25, 3.0}, {30, 2.4}, {35, 2.0}, {40, 1.7},
        {45, 1.45}, {50, 1.3}
    };
    private static final String[] LEVELS = {"normal", "warning", "alarm", "critical"};

    private StreamQuery() {}

    /** A device's level at a time. */
    public static final class Judged implements Serializable {
        private String device;
        private long ts;
        private int step;

        public String getDevice() {
            return device;
        }

        public void setDevice(String device) {
            this.device = device;
        }

        public long getTs() {
            return ts;
        }

        public void setTs(long ts) {
            this.ts = ts;
        }

        public int getStep() {
            return step;
        }

        public void setStep(int step) {
            this.step = step;
        }
    }

    private static Iterator<String> rises(
            String device, Iterator<Judged> rows, GroupState<Integer> state) {
        List<Judged> ordered = new ArrayList<>();
        rows.forEachRemaining(ordered::add);
        // The shuffle keeps no order.
        ordered.sort((left, right) -> Long.compare(left.ts, right.ts));
        int held = state.exists() ? state.get() : 0;
        List<String> lines = new ArrayList<>();
        for (Judged row : ordered) {
            if (row.step > held) {
                lines.add("{\"device\":\"" + device + "\",\"ts\":" + row.ts + ",\"level\":\""
                        + LEVELS[row.step] + "\"}");
            }
            held = row.step;
        }
        state.update(held);
        return lines.iterator();
    }

    private static Dataset<?> c1(Dataset<Row> rows) {
        StringBuilder capacity = new StringBuilder("CASE");
        for (int at = 1; at < CHART.length; at++) {
            double[] near = CHART[at - 1], far = CHART[at];
            capacity.append(String.format(
                    " WHEN radius_m <= %sD THEN %sD + (%sD - %sD) * (radius_m - %sD) / (%sD - %sD)",
                    far[0], near[1], far[1], near[1], near[0], far[0], near[0]));
        }
        Dataset<Judged> judged = rows
                .selectExpr("device", "ts", "load_t / (" + capacity + " END) AS ratio")
                .selectExpr("device", "ts", "CASE WHEN ratio >= 1.1D THEN 3 WHEN ratio >= 1D THEN 2"
                        + " WHEN ratio >= 0.9D THEN 1 ELSE 0 END AS step")
                .as(Encoders.bean(Judged.class));
        return judged
                .groupByKey((MapFunction<Judged, String>) Judged::getDevice, Encoders.STRING())
                .flatMapGroupsWithState(
                        (FlatMapGroupsWithStateFunction<String, Judged, Integer, String>)
                                StreamQuery::rises,
                        OutputMode.Append(), Encoders.INT(), Encoders.STRING(),
                        GroupStateTimeout.NoTimeout());
    }

    private static Dataset<?> means(Dataset<Row> rows, String every) {
        return rows.selectExpr("device", "timestamp_millis(ts) AS time", "tsp")
                .withWatermark("time", "60 seconds")
                .groupBy(functions.col("device"),
                        functions.window(functions.col("time"), "15 minutes", every))
                .agg(functions.avg("tsp").as("mean"))
                .selectExpr("format_string('{\"device\":\"%s\",\"start\":%d,\"mean\":%.4f,"
                        + "\"exceeded\":%s}', device, unix_millis(window.start), mean,"
                        + " string(mean > 250))");
    }

    public static void main(String[] arguments) throws Exception {
        String query = arguments[0];
        SparkSession spark = SparkSession.builder().master("local[1]").appName(query)
                .config("spark.sql.shuffle.partitions", "1").config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.sql.session.timeZone", "UTC")
                .config("spark.sql.streaming.noDataMicroBatches.enabled", "true").getOrCreate();
        spark.sparkContext().setLogLevel("ERROR");
        // A stream's source is a directory; of this one, the file.
        Path input = Path.of(arguments[1]);
        Dataset<Row> rows = spark.readStream()
                .option("pathGlobFilter", input.getFileName().toString())
                .schema(query.equals("c1")
                        ? "device STRING, ts LONG, load_t DOUBLE, radius_m DOUBLE"
                        : "device STRING, ts LONG, tsp DOUBLE")
                .json(input.getParent().toString());
        Dataset<?> lines = query.equals("c1") ? c1(rows)
                : means(rows, query.equals("d1") ? "15 minutes" : "1 minute");
        lines.writeStream().format("text").option("path", arguments[2])
                .option("checkpointLocation", arguments[2] + ".checkpoint")
                .trigger(Trigger.AvailableNow()).start().awaitTermination();
        spark.stop();
    }
}
