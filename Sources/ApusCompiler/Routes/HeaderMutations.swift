internal import ApusAPI
internal import ApusModel
internal import SwiftProtobuf

/// `headers` as Envoy's lists of additions and removals, sorted.
struct HeaderMutations {
    var requestAdd: [XDS.HeaderValueOption] = []
    var requestRemove: [String] = []
    var responseAdd: [XDS.HeaderValueOption] = []
    var responseRemove: [String] = []
    /// The request's authority, which is rewritten and not set like a header.
    var authority: String?

    init(_ headers: Headers?) {
        guard let headers else { return }
        requestAdd = Self.additions(headers.request)
        requestRemove = Self.removals(headers.request)
        responseAdd = Self.additions(headers.response)
        responseRemove = Self.removals(headers.response)
        authority = Self.authority(headers.request.set) ?? Self.authority(headers.request.add)
    }

    private static func additions(_ operations: HeaderOperations) -> [XDS.HeaderValueOption] {
        options(operations.set, .overwriteIfExistsOrAdd) + options(operations.add, .appendIfExistsOrAdd)
    }

    private static func options(
        _ headers: [String: String], _ action: XDS.HeaderValueOption.HeaderAppendAction
    ) -> [XDS.HeaderValueOption] {
        headers.filter { !isReserved($0.key) }.sorted { $0.key < $1.key }.map { name, value in
            .with {
                $0.header = .with {
                    $0.key = name
                    $0.value = value
                }
                $0.appendAction = action
            }
        }
    }

    private static func removals(_ operations: HeaderOperations) -> [String] {
        operations.remove.filter { !isReserved($0) }.sorted()
    }

    /// Envoy refuses to change these.
    private static func isReserved(_ name: String) -> Bool { name.hasPrefix(":") || name.lowercased() == "host" }

    private static func authority(_ headers: [String: String]) -> String? {
        headers.sorted { $0.key < $1.key }.first { isAuthority($0.key) }?.value
    }

    private static func isAuthority(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == ":authority" || name == "host"
    }
}
