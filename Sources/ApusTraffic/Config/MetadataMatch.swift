/// `type.matcher.v3.MetadataMatcher`: a look at what filters have said about a request.
public struct MetadataMatch: Sendable {
    public indirect enum Value: Sendable {
        case null
        case number(from: Double, until: Double)
        case exactly(Double)
        case string(StringMatch)
        case bool(Bool)
        /// Whether there is anything.
        case present(Bool)
        case listWith(Value)
        case either([Value])
    }

    /// The filter's name, as `envoy.filters.http.jwt_authn`.
    public let filter: String
    public let path: [String]
    public let value: Value
    public let isInverted: Bool

    public init(filter: String, path: [String], value: Value, isInverted: Bool = false) {
        self.filter = filter
        self.path = path
        self.value = value
        self.isInverted = isInverted
    }
}
