/// Outbound clusters of a class of proxies.
package enum OutboundClusters {
    /// One per visible service, port and subset, then `PassthroughCluster` and `BlackHoleCluster`; sorted by name.
    package static func clusters(_ context: CompileContext) -> [Compiled<XDS.Cluster>] { [] }
}
