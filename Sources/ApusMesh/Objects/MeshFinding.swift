internal import ApusCore
internal import ApusModel

/// Codes of findings about what merging left out.
package enum MeshFindingCode {
    /// A second object claims the host of a service in the same namespace.
    package static let duplicateServiceHost = "APUS0301"
    /// A ServiceEntry's port differs from the one that an older entry of the same host declares.
    package static let droppedServicePort = "APUS0302"
    /// A younger VirtualService of the same namespace names a host that an older one has.
    package static let duplicateVirtualServiceHost = "APUS0303"
    /// A delegate that does not exist, is not exported to the root, or may not be one.
    package static let unusableDelegate = "APUS0304"
    /// A delegate's rule contradicts the root's match.
    package static let droppedDelegateRule = "APUS0305"
    /// A DestinationRule repeats a subset of an older one for the same host.
    package static let droppedSubset = "APUS0306"
    /// A DestinationRule's traffic policy stands behind that of an older one for the same host.
    package static let droppedTrafficPolicy = "APUS0307"
    /// Endpoints that cannot be used: a name where an address is needed, or no address.
    package static let unusableEndpoint = "APUS0308"
    /// A Service annotation that changes traffic in Istio and has no effect here.
    package static let unsupportedAnnotation = "APUS0309"
}

extension Finding {
    init(_ severity: Severity, _ code: String, _ message: String, hint: String? = nil, in object: ConfigObject,
        field: String
    ) {
        self.init(
            severity, code, message, hint: hint, at: object.origin.location(of: field),
            object: object.key.description, field: field)
    }
}
