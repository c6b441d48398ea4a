internal import ApusAPI
internal import ApusCore
internal import SwiftProtobuf

/// Where a listener stands: an IP address and port, or the path of a Unix socket.
enum BindAddress: Hashable, Sendable, Comparable {
    case socket(address: String, port: UInt32)
    case pipe(path: String)

    private static let pipePrefix = "unix://"

    /// `bind` as manifests write it: an IP address, or `unix://path`, whose port does not matter.
    init(bind: String, port: UInt32) {
        if bind.hasPrefix(Self.pipePrefix) {
            self = .pipe(path: String(bind.dropFirst(Self.pipePrefix.count)))
        } else {
            self = .socket(address: bind, port: port)
        }
    }

    static let wildcard = "0.0.0.0"
    static let loopback = "127.0.0.1"

    /// Istio's name of a listener at this place: `<ip>_<port>`, or the socket as it is written.
    var listenerName: String {
        switch self {
        case .socket(let address, let port): "\(address)_\(port)"
        case .pipe(let path): Self.pipePrefix + path
        }
    }

    var isWildcard: Bool {
        if case .socket(let address, _) = self { return address == Self.wildcard || address == "::" }
        return false
    }

    var message: Envoy_Config_Core_V3_Address {
        var result = Envoy_Config_Core_V3_Address()
        switch self {
        case .socket(let address, let port):
            result.socketAddress.address = address
            result.socketAddress.portValue = port
        case .pipe(let path):
            result.pipe.path = path
        }
        return result
    }

    private var order: (String, UInt32) {
        switch self {
        case .socket(let address, let port): (address, port)
        case .pipe(let path): (Self.pipePrefix + path, 0)
        }
    }

    static func < (left: BindAddress, right: BindAddress) -> Bool { left.order < right.order }
}

extension CIDR {
    var message: Envoy_Config_Core_V3_CidrRange {
        var result = Envoy_Config_Core_V3_CidrRange()
        result.addressPrefix = address.description
        result.prefixLen.value = UInt32(clamping: prefixLength)
        return result
    }
}
