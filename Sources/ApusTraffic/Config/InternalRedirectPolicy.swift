/// `config.route.v3.InternalRedirectPolicy`: redirects of the upstream that the proxy follows itself.
public final class InternalRedirectPolicy: Sendable {
    public enum Predicate: Hashable, Sendable {
        /// No route is taken twice.
        case previousRoutes
        /// Only routes of these names.
        case allowedRoutes(Set<String>)
        /// A request that came in plain text never leads to a target that wants TLS.
        case safeCrossScheme
    }

    public let maxRedirects: UInt32
    public let statuses: [UInt16]
    public let predicates: [Predicate]
    public let allowsCrossScheme: Bool
    /// Taken over from the answer into the new request.
    public let copiedHeaders: [HeaderName]

    public init(
        maxRedirects: UInt32 = 1, statuses: [UInt16] = [302], predicates: [Predicate] = [],
        allowsCrossScheme: Bool = false, copiedHeaders: [HeaderName] = []
    ) {
        self.maxRedirects = maxRedirects
        self.statuses = statuses
        self.predicates = predicates
        self.allowsCrossScheme = allowsCrossScheme
        self.copiedHeaders = copiedHeaders
    }
}
