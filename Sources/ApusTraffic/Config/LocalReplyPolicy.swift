/// `http_connection_manager.v3.LocalReplyConfig`: what becomes of the answers that the proxy makes itself.
package final class LocalReplyPolicy: Sendable {
    package struct Body: Sendable {
        package let format: AccessLog.Format
        package let contentType: String

        package init(format: AccessLog.Format, contentType: String) {
            self.format = format
            self.contentType = contentType
        }
    }

    package struct Mapper: Sendable {
        package let filter: AccessLog.Filter
        package let status: UInt16?
        package let text: [UInt8]?
        package let body: Body?
        package let headers: HeaderOperations

        package init(
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
    package let mappers: [Mapper]
    /// For answers whose mapper has none of its own.
    package let body: Body?

    package init(mappers: [Mapper] = [], body: Body? = nil) {
        self.mappers = mappers
        self.body = body
    }
}
