import CRdkafka
import Primitives

/// An error of the cluster or of its client, by what can be done about it.
struct KafkaError: Error, CustomStringConvertible {
    /// What librdkafka's transactional calls ask of the caller.
    enum Remedy {
        /// Make the same call again.
        case retry
        /// Abort the transaction, then write it again.
        case abort
        /// Nothing can be done with this client any more.
        case close
        /// Neither: an error of a call that has no such classes.
        case none
    }

    let code: rd_kafka_resp_err_t
    let remedy: Remedy
    let text: String

    init(_ code: rd_kafka_resp_err_t, _ text: String? = nil) {
        self.code = code
        remedy = .none
        self.text = text ?? Self.text(of: code)
    }

    /// Takes over an error object of librdkafka's and frees it; nil is success.
    static func check(_ error: OpaquePointer?) throws(KafkaError) {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        throw KafkaError(owned: error)
    }

    private init(owned error: OpaquePointer) {
        code = rd_kafka_error_code(error)
        text = String(cString: rd_kafka_error_string(error))
        remedy =
            if rd_kafka_error_is_fatal(error) != 0 {
                .close
            } else if rd_kafka_error_txn_requires_abort(error) != 0 {
                .abort
            } else if rd_kafka_error_is_retriable(error) != 0 {
                .retry
            } else {
                .none
            }
    }

    static func check(_ code: rd_kafka_resp_err_t) throws(KafkaError) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw KafkaError(code)
    }

    /// What the code means, in librdkafka's words.
    static func text(of code: rd_kafka_resp_err_t) -> String {
        String(cString: rd_kafka_err2str(code))
    }

    var description: String { text }

    /// The cluster does not answer, or not yet: it may later.
    var isTemporary: Bool {
        [
            RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__WAIT_COORD,
            RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__PURGE_QUEUE,
            RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        ].contains(code)
    }

    /// Another process owns the task now.
    var isFenced: Bool {
        [
            RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR__FENCED,
        ].contains(code)
    }

    /// The error as a user is told of it, with the way out.
    func diagnostic(_ place: String, lastLog: String? = nil) -> Diagnostic {
        Diagnostic(
            "\(place): \(text)" + (lastLog.map { " (\($0))" } ?? ""), hint: hint)
    }

    private var hint: String? {
        switch code {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__RESOLVE:
            "check --brokers and that the cluster is up; a listener with TLS or SASL needs --set"
                + " security.protocol=… and what belongs to it"
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL,
            RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            "check the user, the password and the certificates given with --set"
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            "allow the user to read the sources, to write the sinks and what begins with the"
                + " topology's name, to use the group of that name, and transactional ids that"
                + " begin with plumbline-"
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            "the topic was deleted; make it again, or take it out of the topology"
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
            "raise --set message.max.bytes=… and the topic's max.message.bytes"
        default: nil
        }
    }
}

/// A call was given up because the run is to stop. The epoch under way is not committed.
package struct TransportInterrupted: Error, CustomStringConvertible {
    package var description: String {
        "stopped while the cluster did not answer; the epoch under way was not committed and is"
            + " taken again at the next start"
    }
}

/// The tasks of this process belong to another one now: they must be given up as they are.
package struct TasksLost: Error, CustomStringConvertible {
    package var description: String { "another process has taken over tasks of this one" }
}
