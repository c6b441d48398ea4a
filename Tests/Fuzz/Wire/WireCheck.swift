/// What one input of a wire format did.
package struct WireOutcome {
    /// Rules that did not hold.
    package var problems: [String] = []
    /// Marks of what the input reached: an input with a new one is worth changing further.
    package var features: Set<String> = []

    package init() {}
}

/// A format that bytes of a peer come in, with rules that hold for every input. Running the same input twice gives the
/// same outcome.
package protocol WireCheck {
    /// Name on the command line, and of its folder in the corpus.
    static var name: String { get }
    static func run(_ input: [UInt8]) -> WireOutcome
}

package enum WireChecks {
    package static let all: [any WireCheck.Type] = [
        HTTP1RequestCheck.self, HTTP1ResponseCheck.self, HTTP2ServerCheck.self, HTTP2ClientCheck.self, XDSCheck.self,
        LogFormatCheck.self, DNSMessageCheck.self, DNSFilesCheck.self, JSONCheck.self, TokenCheck.self,
    ]
}
