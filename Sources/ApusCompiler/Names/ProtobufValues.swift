internal import ApusAPI
internal import SwiftProtobuf

extension Google_Protobuf_Duration {
    /// Exact to the nanosecond.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds: seconds, nanos: Int32(truncatingIfNeeded: attoseconds / 1_000_000_000))
    }
}

extension Envoy_Type_V3_FractionalPercent {
    /// Millionths, as Istio writes every percentage. What is not a number from 0 to 100 is clamped.
    init(percent: Double) {
        self.init()
        numerator = percent > 0 ? UInt32(min(percent, 100) * 10_000 + 0.5) : 0
        denominator = .million
    }
}

extension Envoy_Config_Core_V3_RuntimeFractionalPercent {
    init(percent: Double) {
        self.init()
        defaultValue = Envoy_Type_V3_FractionalPercent(percent: percent)
    }
}

extension Envoy_Type_V3_Percent {
    init(_ value: Double) {
        self.init()
        self.value = value
    }
}

/// A positive limit, or nil for "not limited": zero and negative numbers are Istio's way of saying "unset".
func positive(_ value: Int32?) -> UInt32? {
    guard let value, value > 0 else { return nil }
    return UInt32(value)
}

/// The bytes in whatever type a generated field wants.
func contiguous<Bytes: SwiftProtobufContiguousBytes>(_ bytes: [UInt8]) -> Bytes { Bytes(bytes) }

extension Envoy_Config_Core_V3_DataSource {
    init(file: String) {
        self.init()
        filename = file
    }
}

extension Envoy_Config_Core_V3_ConfigSource {
    /// The stream the proxy already has, version 3. Waits without limit for the first answer, so that a slow control
    /// plane does not make a proxy serve half a configuration.
    static let overADS: Envoy_Config_Core_V3_ConfigSource = .with {
        $0.ads = Envoy_Config_Core_V3_AggregatedConfigSource()
        $0.initialFetchTimeout = Google_Protobuf_Duration(seconds: 0, nanos: 0)
        $0.resourceApiVersion = .v3
    }
}

extension Envoy_Config_Core_V3_Address {
    /// - Parameter address: an IP address, a DNS name, or `unix://path`.
    init(_ address: String, port: UInt32) {
        self.init()
        if address.hasPrefix("unix://") {
            pipe = .with { $0.path = String(address.dropFirst("unix://".count)) }
        } else {
            socketAddress = .with {
                $0.address = address
                $0.portValue = port
            }
        }
    }
}
