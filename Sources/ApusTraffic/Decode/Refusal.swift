/// Why a resource is not accepted: the path of the field and what is the matter with it.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// As `virtual_hosts[0].routes[1].route.hedge_policy`; empty: the resource as a whole.
    public private(set) var path: String
    public let reason: String

    public init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { path.isEmpty ? reason : "\(path): \(reason)" }

    /// The same, one level further out.
    func under(_ outer: String) -> Refusal {
        if path.isEmpty { return Refusal(outer, reason) }
        if outer.isEmpty { return self }
        return Refusal(path.hasPrefix("[") ? outer + path : "\(outer).\(path)", reason)
    }

    /// What a NACK says of a feature that exists in the API but not here.
    static func unsupported(_ path: String, _ what: String = "this field") -> Refusal {
        Refusal(path, "\(what) is not supported by this proxy")
    }
}

/// Runs `body` and puts the field's name before the path of what it refuses.
func at<Result>(
    _ field: @autoclosure () -> String, _ body: () throws(Refusal) -> Result
) throws(Refusal) -> Result {
    do { return try body() } catch { throw error.under(field()) }
}

/// The same for every element of a list.
func each<Element, Result>(
    _ field: String, _ elements: [Element], _ body: (Element) throws(Refusal) -> Result
) throws(Refusal) -> [Result] {
    var results: [Result] = []
    results.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
        results.append(try at("\(field)[\(index)]") { () throws(Refusal) in try body(element) })
    }
    return results
}
