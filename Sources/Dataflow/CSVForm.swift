/// How rows of CSV are written (RFC 4180, with a separator of one's own).
package struct CSVForm: Hashable, Sendable {
    /// Stands between two fields: an ASCII character that stands in no number and in no quote.
    package var separator: UInt8
    /// Whether each record names its columns, in a header of its own; else the columns are the
    /// schema's fields in their order.
    package var hasHeader: Bool

    package init(separator: UInt8 = 0x2C, hasHeader: Bool = true) {
        self.separator = separator
        self.hasHeader = hasHeader
    }

    /// The separator that a text names: one character, or `tab`; nil for a text that names none.
    package static func separator(_ text: String) -> UInt8? {
        if text == "tab" || text == "\t" { return 0x09 }
        guard text.utf8.count == 1, let byte = text.utf8.first else { return nil }
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x22, 0x2B, 0x2D, 0x2E: return nil
        case 0x21...0x7E: return byte
        default: return nil
        }
    }

    /// What ``separator(_:)`` reads back.
    package static func text(separator: UInt8) -> String {
        separator == 0x09 ? "tab" : String(UnicodeScalar(separator))
    }

    /// What a separator can be, for messages.
    package static let separatorHint =
        "one character that is no letter, digit, blank, quote, '.', '+' or '-', or the word tab"
}
