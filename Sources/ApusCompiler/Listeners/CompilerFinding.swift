/// Codes of the findings that compiling makes.
package enum CompilerFinding {
    /// A service port gets no listener, since an older service has the same place.
    package static let listenerConflict = "APUS0401"
    /// A Gateway server is left out, since an older one has its port or its hosts.
    package static let gatewayConflict = "APUS0402"
    /// A Gateway server asks for something that is not served.
    package static let gatewayUnsupported = "APUS0403"
    /// A listener names a route configuration that is not there.
    package static let danglingRoute = "APUS0404"
    /// A route or chain names a cluster that is not there: requests get 503 (NC).
    package static let danglingCluster = "APUS0405"
    /// A Secret that a Gateway or a rule names is not there, or cannot be used.
    package static let unusableCredential = "APUS0406"
    /// No token passes a JWT rule, since its keys cannot be used.
    package static let unusableKeys = "APUS0407"
}
