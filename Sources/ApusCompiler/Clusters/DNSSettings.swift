internal import ApusAPI
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// How names of DNS clusters are resolved.
enum DNSSettings {
    static func apply(to cluster: inout XDS.Cluster, _ context: CompileContext) {
        cluster.respectDnsTtl = true
        cluster.dnsRefreshRate = Google_Protobuf_Duration(context.snapshot.meshConfig.dnsRefreshRate)
        cluster.dnsJitter = Google_Protobuf_Duration(.milliseconds(100))
        cluster.dnsLookupFamily = family(context)
    }

    /// A proxy with both families asks for IPv4, as Istio does without its dual-stack switch.
    static func family(_ context: CompileContext) -> XDS.Cluster.DnsLookupFamily {
        context.proxyClass.hasIPv6 && !context.proxyClass.hasIPv4 ? .v6Only : .v4Only
    }
}
