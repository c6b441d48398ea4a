/// How grave a finding is. `error`: the object is left out. `warning`: it is used, but not as its author may think.
public enum Severity: String, Hashable, Sendable, Comparable, CaseIterable {
    case error, warning, info

    private var rank: Int {
        switch self {
        case .info: 0
        case .warning: 1
        case .error: 2
        }
    }

    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// One thing to say about the input, for a person and for a program.
public struct Finding: Hashable, Sendable {
    public let severity: Severity
    /// Stable code. Istio's (`IST0101`) where the meaning is the same, else `APUS` and four digits.
    public let code: String
    /// What is wrong, one sentence without a final full stop.
    public let message: String
    /// What would be right, if it can be said.
    public let hint: String?
    public let location: SourceLocation
    /// `Kind namespace/name` of the object concerned, if it is known.
    public let object: String?
    /// The field, as `spec.http[0].route`.
    public let field: String?

    public init(
        _ severity: Severity,
        _ code: String,
        _ message: String,
        hint: String? = nil,
        at location: SourceLocation,
        object: String? = nil,
        field: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.hint = hint
        self.location = location
        self.object = object
        self.field = field
    }
}
