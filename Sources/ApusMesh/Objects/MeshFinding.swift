internal import ApusCore
internal import ApusModel

/// Codes of findings about what merging left out. VirtualServices of one host, delegates that do not exist and
/// DestinationRules without selectors that repeat one another are found by reading the folder and not told again.
package enum MeshFindingCode {
    /// A second object claims the host of a service in the same namespace.
    package static let duplicateServiceHost = "APUS0301"
    /// A ServiceEntry's port differs from the one that an older entry of the same host declares.
    package static let droppedServicePort = "APUS0302"
    /// A delegate that is not exported to the root, or may not be one.
    package static let unusableDelegate = "APUS0303"
    /// A delegate's rule contradicts the root's match, or the two have too many match blocks.
    package static let droppedDelegateRule = "APUS0304"
    /// A DestinationRule repeats a subset of an older one for the same host and selector.
    package static let droppedSubset = "APUS0305"
    /// A DestinationRule's traffic policy stands behind that of an older one for the same host and selector.
    package static let droppedTrafficPolicy = "APUS0306"
    /// Endpoints that cannot be used: a name where an address is needed, or no address.
    package static let unusableEndpoint = "APUS0307"
    /// A Service annotation that changes traffic in Istio and has no effect here.
    package static let unsupportedAnnotation = "APUS0308"
}

/// A finding that knows its object but not yet its line: an object may move within its file while everything that was
/// made from it, findings included, stays.
struct MeshFinding: Sendable {
    let code: String
    let message: String
    let hint: String?
    let object: ObjectKey
    let field: String

    init(_ code: String, _ message: String, hint: String? = nil, in object: ConfigObject, field: String) {
        self.code = code
        self.message = message
        self.hint = hint
        self.object = object.key
        self.field = field
    }

    func placed(by table: ObjectTable) -> Finding {
        Finding(
            .warning, code, message, hint: hint, at: (table[object]?.origin ?? .none).location(of: field),
            object: object.description, field: field)
    }
}

extension Finding {
    static func isBefore(_ left: Finding, _ right: Finding) -> Bool {
        if left.location != right.location { return left.location < right.location }
        return (left.code, left.object ?? "", left.message) < (right.code, right.object ?? "", right.message)
    }
}
