/// `http_connection_manager.v3.LocalReplyConfig`: what becomes of the answers that the proxy makes itself.
public final class LocalReplyPolicy: Sendable {
    public struct Body: Sendable {
        public let format: AccessLog.Format
        public let contentType: String

        public init(format: AccessLog.Format, contentType: String) {
            self.format = format
            self.contentType = contentType
        }
    }

    public struct Mapper: Sendable {
        public let filter: AccessLog.Filter
        public let status: UInt16?
        public let text: [UInt8]?
        public let body: Body?
        public let headers: HeaderOperations

        public init(
            filter: AccessLog.Filter, status: UInt16? = nil, text: [UInt8]? = nil, body: Body? = nil,
            headers: HeaderOperations = .none
        ) {
            self.filter = filter
            self.status = status
            self.text = text
            self.body = body
            self.headers = headers
        }
    }

    /// The first whose filter passes is obeyed.
    public let mappers: [Mapper]
    /// For answers whose mapper has none of its own.
    public let body: Body?

    public init(mappers: [Mapper] = [], body: Body? = nil) {
        self.mappers = mappers
        self.body = body
    }
}
