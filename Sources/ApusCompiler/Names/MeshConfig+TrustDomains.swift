internal import ApusModel

extension MeshConfig {
    /// The mesh's own first; identities of each of them are the same (semantics 2.8).
    var trustDomains: [String] { [trustDomain] + trustDomainAliases }
}
