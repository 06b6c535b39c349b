import Foundation

/// What is taken from the statistics that librdkafka tells now and then, as JSON.
struct KafkaStatistics: Decodable {
    private struct Broker: Decodable {
        struct Window: Decodable {
            var avg: Int
        }
        var nodeid: Int
        var rtt: Window
    }

    private enum CodingKeys: String, CodingKey {
        case name, brokers
        case queued = "msg_cnt"
        case bytesSent = "tx_bytes"
        case bytesReceived = "rx_bytes"
        case messagesSent = "txmsgs"
        case messagesReceived = "rxmsgs"
    }

    private var name: String
    private var queued: Int
    private var bytesSent: Int
    private var bytesReceived: Int
    private var messagesSent: Int
    private var messagesReceived: Int
    private var brokers: [String: Broker]

    /// Takes them over into the process's figures; text of another form is left out.
    static func note(_ json: UnsafeRawBufferPointer, in metrics: Metrics) {
        guard let found = try? JSONDecoder().decode(KafkaStatistics.self, from: Data(json)) else {
            return
        }
        // As in plumbline#producer-3.
        let client = [("client", String(found.name.drop { $0 != "#" }.dropFirst()))]
        metrics.set(.clientBytesSent, Double(found.bytesSent), client)
        metrics.set(.clientBytesReceived, Double(found.bytesReceived), client)
        metrics.set(.clientMessages, Double(found.messagesSent), client + [("way", "sent")])
        metrics.set(.clientMessages, Double(found.messagesReceived), client + [("way", "received")])
        metrics.set(.clientQueue, Double(found.queued), client)
        for broker in found.brokers.values where broker.nodeid >= 0 {
            metrics.set(
                .brokerRoundTrip, Double(broker.rtt.avg) / 1_000_000,
                client + [("broker", "\(broker.nodeid)")])
        }
    }
}
