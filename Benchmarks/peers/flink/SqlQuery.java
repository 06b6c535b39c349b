import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * The queries in Flink SQL. usage: SqlQuery c1|d1|d2 INPUT DIRECTORY
 *
 * <p>One slot, objects reused, state on the heap; Flink's own JSON format and file connector, which
 * writes part files into a directory.
 */
public final class SqlQuery {
    private static final double[][] CHART = {
        {2.5, 6.0}, {13.7, 6.0}, {16, 5.0}, {20, 3.9}, {25, 3.0}, {30, 2.4}, {35, 2.0}, {40, 1.7},
        {45, 1.45}, {50, 1.3}
    };
    // Times are read from milliseconds; the rise of a level is the earlier level beside the present
    // one, in the order of arrival.
    private static final String RISES = """
        INSERT INTO lines SELECT device, ts, CASE level WHEN 1 THEN 'warning' WHEN 2 THEN 'alarm'
            ELSE 'critical' END FROM (
          SELECT device, ts, level, LAG(level, 1, 0) OVER (
              PARTITION BY device ORDER BY arrived) AS previous FROM (
            SELECT device, ts, arrived, CASE WHEN ratio >= 1.1E0 THEN 3 WHEN ratio >= 1E0 THEN 2
                WHEN ratio >= 0.9E0 THEN 1 ELSE 0 END AS level FROM (
              SELECT device, ts, arrived, load_t / (%s) AS ratio FROM readings)))
        WHERE level > previous
        """;
    private static final String MEANS = """
        INSERT INTO lines SELECT device, 1000 * UNIX_TIMESTAMP(CAST(window_start AS STRING)),
            CAST(AVG(tsp) AS DECIMAL(18, 4)), AVG(tsp) > 250
        FROM TABLE(%s) GROUP BY device, window_start, window_end
        """;
    private static final Map<String, String> WINDOWS = Map.of(
            "d1", "TUMBLE(TABLE readings, DESCRIPTOR(rowtime), INTERVAL '15' MINUTES)",
            "d2", "HOP(TABLE readings, DESCRIPTOR(rowtime), INTERVAL '1' MINUTES,"
                    + " INTERVAL '15' MINUTES)");

    private SqlQuery() {}

    private static String capacity() {
        StringBuilder text = new StringBuilder("CASE");
        for (int at = 1; at < CHART.length; at++) {
            double[] near = CHART[at - 1], far = CHART[at];
            text.append(String.format(
                    " WHEN radius_m <= %sE0 THEN %sE0 + (%sE0 - %sE0) * (radius_m - %sE0)"
                            + " / (%sE0 - %sE0)",
                    far[0], near[1], far[1], near[1], near[0], far[0], near[0]));
        }
        return text.append(" END").toString();
    }

    private static String file(String path) {
        return " WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = 'file://"
                + path + "', 'json.encode.decimal-as-plain-number' = 'true')";
    }

    public static void main(String[] arguments) throws Exception {
        String query = arguments[0];
        boolean crane = query.equals("c1");
        Configuration settings = new Configuration();
        settings.setString("parallelism.default", "1");
        settings.setString("pipeline.object-reuse", "true");
        settings.setString("table.local-time-zone", "UTC");
        settings.setString("table.exec.mini-batch.enabled", "false");
        TableEnvironment tables = TableEnvironment.create(
                EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings)
                        .build());
        tables.executeSql(crane
                ? "CREATE TABLE readings (device STRING, ts BIGINT, load_t DOUBLE, radius_m DOUBLE,"
                        + " arrived AS PROCTIME())" + file(arguments[1])
                : "CREATE TABLE readings (device STRING, ts BIGINT, tsp DOUBLE,"
                        + " rowtime AS TO_TIMESTAMP_LTZ(ts, 3),"
                        + " WATERMARK FOR rowtime AS rowtime - INTERVAL '60' SECONDS)"
                        + file(arguments[1]));
        tables.executeSql(crane
                ? "CREATE TABLE lines (device STRING, ts BIGINT, level STRING)" + file(arguments[2])
                : "CREATE TABLE lines (device STRING, `start` BIGINT, mean DECIMAL(18, 4),"
                        + " exceeded BOOLEAN)" + file(arguments[2]));
        tables.executeSql(crane
                ? String.format(RISES, capacity())
                : String.format(MEANS, WINDOWS.get(query))).await();
    }
}
