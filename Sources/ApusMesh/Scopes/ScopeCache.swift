internal import ApusModel
internal import Synchronization

/// Scopes of one set of indexes, computed when first asked for.
///
/// Snapshots that differ only in endpoints share one cache.
final class ScopeCache: Sendable {
    let builder: ScopeBuilder
    /// Scopes of the cache before this one: an equal scope keeps its identity.
    private let older: [ScopeKey: ProxyScope]
    private let scopes = Mutex<[ScopeKey: ProxyScope]>([:])

    /// Namespaces and labels come from connected proxies; beyond this many, scopes are computed but not kept.
    private static let limit = 10_000

    init(builder: ScopeBuilder, older: ScopeCache?) {
        self.builder = builder
        self.older = older.map { cache in cache.scopes.withLock { $0 } } ?? [:]
    }

    func scope(of key: ScopeKey) -> ProxyScope {
        if let known = scopes.withLock({ $0[key] }) { return known }
        let made = builder.scope(of: key)
        let result = older[key].flatMap { $0.isInterchangeable(with: made) ? $0 : nil } ?? made
        return scopes.withLock { scopes in
            if let first = scopes[key] { return first }
            if scopes.count < Self.limit { scopes[key] = result }
            return result
        }
    }
}
