import java.io.IOException;
import java.io.InputStream;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadFeature;

/** Readings out of a stream of JSON objects; values of other fields are skipped, not made. */
final class ReadingParser {
    private final JsonParser parser;

    ReadingParser(InputStream stream) throws IOException {
        parser = JsonFactory.builder().enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER).build()
                .createParser(stream);
    }

    /** The next reading; null at the end. A new object: the source hands them over in bulk. */
    Reading next() throws IOException {
        if (parser.nextToken() == null) return null;
        Reading row = new Reading();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "device" -> row.device = parser.getText();
                case "ts" -> row.time = parser.getLongValue();
                case "load_t" -> row.load = parser.getDoubleValue();
                case "radius_m" -> row.radius = parser.getDoubleValue();
                case "tsp" -> row.tsp = parser.getDoubleValue();
                default -> parser.skipChildren();
            }
        }
        return row;
    }
}
