internal import ApusAPI
internal import ApusCore
internal import ApusTraffic
internal import FoundationEssentials
internal import SwiftProtobuf

/// Resources of xDS: the first byte of an input says of which type. They are accepted or refused, twice alike, and what is
/// refused changes nothing.
enum XDSCheck: WireCheck {
    static let name = "xds"

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        guard let first = input.first else { return outcome }
        let type = ResourceType.allCases[Int(first) % ResourceType.allCases.count]
        let message = Array(input.dropFirst())
        let (verdict, listeners) = apply(type, message)
        let (again, others) = apply(type, message)
        if verdict.accepted != again.accepted || verdict.rejected != again.rejected || listeners != others {
            outcome.problems.append("a second run gives something else")
        }
        if !verdict.rejected.isEmpty, !verdict.change.isEmpty {
            outcome.problems.append("what is refused changes something")
        }
        if !verdict.rejected.isEmpty, verdict.message == nil { outcome.problems.append("it is refused without a word") }
        outcome.features.insert("\(type) \(verdict.rejected.isEmpty)")
        for rejection in verdict.rejected {
            outcome.features.insert("\(type) \(rejection.path.filter { !$0.isNumber }.prefix(80))")
        }
        return outcome
    }

    private static func apply(_ type: ResourceType, _ message: [UInt8]) -> (ConfigVerdict, [String]) {
        let any = Google_Protobuf_Any.with {
            $0.typeURL = type.typeURL
            $0.value = Data(message)
        }
        var store = ConfigStore()
        let body: [UInt8] = (try? any.serializedBytes()) ?? []
        let verdict = store.apply(
            ConfigUpdate(type: type, changed: [.init(name: name(type, any), version: "1", body: body)]), now: 0)
        return (verdict, store.configuration.listeners.map(\.name))
    }

    /// The resource's own name, so that it is not refused for another.
    private static func name(_ type: ResourceType, _ any: Google_Protobuf_Any) -> String {
        let bytes = Array(any.value)
        return switch type {
        case .cluster: (try? Envoy_Config_Cluster_V3_Cluster(serializedBytes: bytes))?.name ?? "x"
        case .endpoints:
            (try? Envoy_Config_Endpoint_V3_ClusterLoadAssignment(serializedBytes: bytes))?.clusterName ?? "x"
        case .listener: (try? Envoy_Config_Listener_V3_Listener(serializedBytes: bytes))?.name ?? "x"
        case .route: (try? Envoy_Config_Route_V3_RouteConfiguration(serializedBytes: bytes))?.name ?? "x"
        case .secret: "x"
        }
    }
}

/// Formats of the access log: a format is refused, or it prints, twice alike.
enum LogFormatCheck: WireCheck {
    static let name = "log-format"

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        let text = String(decoding: input, as: UTF8.self)
        let format: FormatString
        do { format = try FormatParser.parse(text) } catch {
            outcome.features.insert("refused \(String(describing: error).filter { $0.isLetter }.prefix(60))")
            return outcome
        }
        let line = print(format)
        if line != print(format) { outcome.problems.append("it prints differently the second time") }
        if line.count > text.utf8.count * 64 + 4096 {
            outcome.problems.append("\(line.count) bytes come of \(text.utf8.count)")
        }
        for segment in format.segments {
            if case .value(let value) = segment {
                outcome.features.insert("\(String(describing: value).prefix { $0 != "(" })")
            }
        }
        return outcome
    }

    private static func print(_ format: FormatString) -> [UInt8] {
        var request = HTTPHead(method: "GET", path: "/a?b=c", authority: "host")
        request.append(.userAgent, "\u{1}\"fuzz\u{ff}\"")
        var response = HTTPHead(status: 503)
        response.append(.contentType, "text/plain")
        var facts = StreamFacts()
        facts.startTime = 1_700_000_000_123_456
        facts.responseCode = 503
        facts.flags = [.downstreamProtocolError]
        facts.downstreamRemoteAddress = "[::1]:80"
        var out: [UInt8] = []
        format.write(into: &out, request: request, response: response, facts: facts)
        return out
    }
}
