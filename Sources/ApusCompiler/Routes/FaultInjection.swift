internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// `fault` as the fault filter's configuration for one route. A percentage that is not written means never.
enum FaultInjection {
    static let filterName = "envoy.filters.http.fault"

    static func config(_ fault: HTTPFault) -> Google_Protobuf_Any? {
        var config = Envoy_Extensions_Filters_Http_Fault_V3_HTTPFault()
        if let delay = fault.delay, let duration = delay.fixedDelay {
            config.delay = .with {
                $0.fixedDelay = Google_Protobuf_Duration(duration)
                $0.percentage = Envoy_Type_V3_FractionalPercent(percent: delay.percentage ?? 0)
            }
        }
        if let abort = fault.abort, let kind = abort.kind {
            config.abort = .with {
                switch kind {
                case .httpStatus(let status): $0.httpStatus = UInt32(clamping: status)
                case .grpcStatus(let name): $0.grpcStatus = grpcCode(name)
                }
                $0.percentage = Envoy_Type_V3_FractionalPercent(percent: abort.percentage ?? 0)
            }
        }
        return config.hasDelay || config.hasAbort ? .packing(config) : nil
    }

    /// In the order of their numbers.
    private static let grpcNames = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]

    /// A name, or a number; what is neither is UNKNOWN.
    private static func grpcCode(_ text: String) -> UInt32 {
        if let at = grpcNames.firstIndex(of: text.uppercased()) { return UInt32(at) }
        return UInt32(text) ?? 2
    }
}
