internal import ApusCore
internal import ApusDelta
internal import Foundation
internal import SwiftProtobuf

/// Keeps letters; wants the endpoints of all clusters; refuses the content `bad`.
actor LetterSink: ConfigSink {
    private(set) var contents: [ResourceType: [String: String]] = [:]

    func apply(type: ResourceType, added: [ReceivedResource], removed: [String]) async -> Verdict {
        var verdict = Verdict()
        for (name, _, body) in added {
            let any = try? Google_Protobuf_Any(serializedBytes: body)
            let text = String(decoding: any?.value ?? Data(), as: UTF8.self)
            let content = String(text.drop { $0 != "=" }.dropFirst())
            if content == "bad" {
                verdict.refusals.append(.init(name: name, reason: "is bad"))
            } else {
                contents[type, default: [:]][name] = content
            }
        }
        for name in removed { contents[type]?[name] = nil }
        if type == .cluster { verdict.wanted[.endpoints] = Set(contents[.cluster, default: [:]].keys) }
        return verdict
    }
}
