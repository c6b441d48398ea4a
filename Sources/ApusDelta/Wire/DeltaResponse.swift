/// A `DeltaDiscoveryResponse` as a client needs it: the bodies of resources stay encoded.
package struct DeltaResponse: Sendable {
    package var systemVersion = ""
    package var typeURL = ""
    package var nonce = ""
    package var resources: [Resource] = []
    package var removed: [String] = []
    /// `control_plane.identifier`.
    package var controlPlane = ""

    package struct Resource: Sendable {
        package var name = ""
        package var version = ""
        /// A serialized `google.protobuf.Any`; nil if the field is absent.
        package var body: [UInt8]?
        /// The type URL inside the body.
        package var typeURL = ""
    }

    /// Nil if the bytes are not that message.
    package init?(serialized bytes: [UInt8]) {
        var reader = WireReader(bytes[...])
        while !reader.isAtEnd {
            guard let (field, value) = reader.next() else { return nil }
            switch (field, value) {
            case (1, .bytes(let content)):
                guard let text = Self.text(content) else { return nil }
                systemVersion = text
            case (2, .bytes(let content)):
                guard let resource = Resource(serialized: content) else { return nil }
                resources.append(resource)
            case (4, .bytes(let content)):
                guard let text = Self.text(content) else { return nil }
                typeURL = text
            case (5, .bytes(let content)):
                guard let text = Self.text(content) else { return nil }
                nonce = text
            case (6, .bytes(let content)):
                guard let text = Self.text(content) else { return nil }
                removed.append(text)
            case (7, .bytes(let content)):
                guard let text = Self.firstText(of: content) else { return nil }
                controlPlane = text
            default: break
            }
        }
    }

    fileprivate static func text(_ bytes: ArraySlice<UInt8>) -> String? { String(validating: bytes, as: UTF8.self) }

    /// Field 1 of a message as text, the last if there are several; nil if the bytes are no message.
    fileprivate static func firstText(of message: ArraySlice<UInt8>) -> String? {
        var result = ""
        var reader = WireReader(message)
        while !reader.isAtEnd {
            guard let (field, value) = reader.next() else { return nil }
            if field == 1, case .bytes(let content) = value {
                guard let text = text(content) else { return nil }
                result = text
            }
        }
        return result
    }
}

extension DeltaResponse.Resource {
    fileprivate init?(serialized bytes: ArraySlice<UInt8>) {
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            guard let (field, value) = reader.next() else { return nil }
            switch (field, value) {
            case (1, .bytes(let content)):
                guard let text = DeltaResponse.text(content) else { return nil }
                version = text
            case (2, .bytes(let content)):
                // Two bodies would have to be merged; no server writes that.
                guard body == nil, let url = DeltaResponse.firstText(of: content) else { return nil }
                body = Array(content)
                typeURL = url
            case (3, .bytes(let content)):
                guard let text = DeltaResponse.text(content) else { return nil }
                name = text
            default: break
            }
        }
    }
}
