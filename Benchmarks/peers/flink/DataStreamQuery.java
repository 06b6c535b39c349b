import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.SimpleStreamFormat;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.legacy.RichSinkFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * The queries in Flink's DataStream API. usage: DataStreamQuery c1|d1|d2|p0-crane|p0-dust IN OUT
 *
 * <p>One slot, objects reused, no checkpoints, state on the heap; readings are decoded from the
 * file's bytes by Jackson's streaming parser, which makes no object but the row.
 */
@SuppressWarnings({"deprecation", "serial"})
public final class DataStreamQuery {
    private static final String[] LEVELS = {"normal", "warning", "alarm", "critical"};

    private DataStreamQuery() {}

    /** Emits a line when the level of a device's ratio rises. */
    static final class Rises extends KeyedProcessFunction<String, Reading, String> {
        private transient ValueState<Integer> held;

        @Override
        public void open(OpenContext context) {
            held = getRuntimeContext().getState(new ValueStateDescriptor<>("level", Integer.class));
        }

        @Override
        public void processElement(Reading row, Context context, Collector<String> out)
                throws IOException {
            double ratio = row.load / Chart.capacity(row.radius);
            int now = ratio >= 1.1 ? 3 : ratio >= 1.0 ? 2 : ratio >= 0.9 ? 1 : 0;
            Integer before = held.value();
            int earlier = before == null ? 0 : before;
            if (now != earlier) held.update(now);
            if (now > earlier) {
                out.collect("{\"device\":\"" + row.device + "\",\"ts\":" + row.time
                        + ",\"level\":\"" + LEVELS[now] + "\"}");
            }
        }
    }

    /** Sum and count. */
    static final class Mean implements AggregateFunction<Reading, double[], double[]> {
        @Override
        public double[] createAccumulator() {
            return new double[2];
        }

        @Override
        public double[] add(Reading row, double[] state) {
            state[0] += row.tsp;
            state[1] += 1;
            return state;
        }

        @Override
        public double[] getResult(double[] state) {
            return state;
        }

        @Override
        public double[] merge(double[] left, double[] right) {
            left[0] += right[0];
            left[1] += right[1];
            return left;
        }
    }

    /** The line of a window. */
    static final class Line extends ProcessWindowFunction<double[], String, String, TimeWindow> {
        @Override
        public void process(String key, Context context, Iterable<double[]> sums,
                Collector<String> out) {
            double[] sum = sums.iterator().next();
            double mean = sum[0] / sum[1];
            long digits = Math.round(mean * 10000);
            StringBuilder line = new StringBuilder(96);
            line.append("{\"device\":\"").append(key).append("\",\"start\":")
                    .append(context.window().getStart()).append(",\"mean\":")
                    .append(digits / 10000).append('.');
            String rest = Long.toString(digits % 10000);
            line.append("0000", 0, 4 - rest.length()).append(rest);
            out.collect(line.append(",\"exceeded\":").append(mean > 250).append('}').toString());
        }
    }

    /** Adds up what is read; says so at the end. */
    static final class Sum extends RichSinkFunction<Reading> {
        private double sum;

        @Override
        public void invoke(Reading row, Context context) {
            sum += row.device.length() + row.time + row.load + row.radius + row.tsp;
        }

        @Override
        public void close() {
            System.out.println(sum);
        }
    }

    /** Lines to one file through one buffer. */
    static final class Lines extends RichSinkFunction<String> {
        private final String path;
        private transient OutputStream file;

        Lines(String path) {
            this.path = path;
        }

        @Override
        public void open(OpenContext context) throws IOException {
            file = new BufferedOutputStream(new FileOutputStream(path), 1 << 18);
        }

        @Override
        public void invoke(String line, Context context) throws IOException {
            file.write(line.getBytes(StandardCharsets.ISO_8859_1));
            file.write('\n');
        }

        @Override
        public void close() throws IOException {
            if (file != null) file.close();
        }
    }

    /** Readings of a file, decoded from its bytes. */
    static final class Format extends SimpleStreamFormat<Reading> {
        @Override
        public Reader<Reading> createReader(
                Configuration configuration, FSDataInputStream stream) throws IOException {
            ReadingParser parser = new ReadingParser(stream);
            return new Reader<>() {
                @Override
                public Reading read() throws IOException {
                    return parser.next();
                }

                @Override
                public void close() throws IOException {
                    stream.close();
                }
            };
        }

        @Override
        public TypeInformation<Reading> getProducedType() {
            return TypeInformation.of(Reading.class);
        }
    }

    public static void main(String[] arguments) throws Exception {
        String query = arguments[0], output = arguments[2];
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setParallelism(1);
        environment.getConfig().enableObjectReuse();
        environment.setRuntimeMode(RuntimeExecutionMode.STREAMING);
        WatermarkStrategy<Reading> times = query.startsWith("d")
                ? WatermarkStrategy.<Reading>forBoundedOutOfOrderness(Duration.ofSeconds(60))
                        .withTimestampAssigner((row, at) -> row.time)
                : WatermarkStrategy.noWatermarks();
        DataStream<Reading> rows = environment.fromSource(
                FileSource.forRecordStreamFormat(new Format(), new Path(arguments[1])).build(),
                times, "readings");
        if (query.startsWith("p0")) {
            rows.addSink(new Sum());
        } else if (query.equals("c1")) {
            rows.keyBy(row -> row.device).process(new Rises()).addSink(new Lines(output));
        } else {
            var size = Duration.ofMinutes(15);
            var keyed = rows.keyBy(row -> row.device);
            var windows = query.equals("d1")
                    ? keyed.window(TumblingEventTimeWindows.of(size))
                    : keyed.window(SlidingEventTimeWindows.of(size, Duration.ofMinutes(1)));
            windows.aggregate(new Mean(), new Line()).addSink(new Lines(output));
        }
        environment.execute(query);
    }
}
