internal import ApusCore
internal import ApusDelta
internal import SwiftProtobuf

/// A receiver of configuration that keeps letters and derives what it wants from them.
struct LetterStore {
    var contents: [ResourceType: [String: Int]] = [:]
    /// Contents that are refused, wherever they appear.
    var refuses: (ResourceType, Int) -> Bool = { _, _ in false }

    mutating func apply(_ batch: ConfigBatch) -> Verdict {
        var verdict = Verdict()
        for (name, _, body) in batch.added {
            let content = Self.content(body)
            if refuses(batch.type, content) {
                verdict.refusals.append(.init(name: name, reason: "content \(content) is bad"))
            } else {
                contents[batch.type, default: [:]][name] = content
            }
        }
        for name in batch.removed { contents[batch.type]?[name] = nil }
        if batch.type == .cluster { want(.endpoints, named: .cluster, &verdict) }
        if batch.type == .listener {
            want(.route, named: .listener, &verdict)
            want(.secret, named: .listener, &verdict)
        }
        return verdict
    }

    private mutating func want(_ type: ResourceType, named parent: ResourceType, _ verdict: inout Verdict) {
        let names = Set(contents[parent, default: [:]].keys)
        verdict.wanted[type] = names
        contents[type] = contents[type, default: [:]].filter { names.contains($0.key) }
    }

    static func content(_ body: [UInt8]) -> Int {
        guard let any = try? Google_Protobuf_Any(serializedBytes: body) else { return -1 }
        return Int(String(decoding: any.value, as: UTF8.self).split(separator: "=").last ?? "") ?? -1
    }
}
