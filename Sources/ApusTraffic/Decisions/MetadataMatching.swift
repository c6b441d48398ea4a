public import ApusIdentity

/// What filters have said about a request, by the name of the filter (Envoy's dynamic metadata).
public typealias DynamicMetadata = [String: JSONValue]

extension MetadataMatch {
    public func matches(_ metadata: DynamicMetadata) -> Bool {
        value.matches(metadata[filter]?.value(at: path)) != isInverted
    }
}

extension MetadataMatch.Value {
    /// - Parameter found: nil: there is nothing.
    func matches(_ found: JSONValue?) -> Bool {
        switch (self, found) {
        case (.present(let wanted), _): wanted && found != nil
        case (.either(let values), _): values.contains { $0.matches(found) }
        case (.null, .null?): true
        case (.number(let from, let until), .number(let number)?): number >= from && number < until
        case (.exactly(let wanted), .number(let number)?): number == wanted
        case (.string(let match), .string(let text)?): match.matches(text)
        case (.bool(let wanted), .bool(let value)?): value == wanted
        case (.listWith(let wanted), .list(let values)?): values.contains { wanted.matches($0) }
        default: false
        }
    }
}
