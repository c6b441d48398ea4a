internal import ApusAPI
internal import SwiftProtobuf

/// Where a proxy fetches what a listener names.
enum ConfigSources {
    /// The stream it already has, and it waits for ever: a listener without its routes would answer 404.
    static var ads: Envoy_Config_Core_V3_ConfigSource {
        var source = Envoy_Config_Core_V3_ConfigSource()
        source.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
        source.initialFetchTimeout = Google_Protobuf_Duration()
        source.resourceApiVersion = .v3
        return source
    }
}

extension Google_Protobuf_Duration {
    /// Negative durations become zero, parts of a nanosecond are cut off.
    init(clamping duration: Duration) {
        let (seconds, attoseconds) = max(duration, .zero).components
        self.init(seconds: seconds, nanos: Int32(truncatingIfNeeded: attoseconds / 1_000_000_000))
    }
}
