internal import GRPCCore

/// Messages cross the gRPC edge as bytes: responses were encoded once by the compiler, requests are decoded by the
/// machines, and nothing in between looks inside.
struct RawBytesSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
}

struct RawBytesDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> [UInt8] {
        serializedMessageBytes.withUnsafeBytes { Array($0) }
    }
}

extension RPCRouter {
    /// Registers a handler that reads and writes bytes.
    mutating func registerRaw(
        service: String, method: String,
        handler:
            @escaping @Sendable (StreamingServerRequest<[UInt8]>, ServerContext) async throws
            -> StreamingServerResponse<[UInt8]>
    ) {
        registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: service, method: method),
            deserializer: RawBytesDeserializer(), serializer: RawBytesSerializer(), handler: handler)
    }

    /// Registers a handler of one request and one response.
    mutating func registerRawUnary(
        service: String, method: String,
        handler: @escaping @Sendable ([UInt8], ServerContext) async throws -> [UInt8]
    ) {
        registerRaw(service: service, method: method) { request, context in
            var first: [UInt8]?
            for try await message in request.messages {
                guard first == nil else {
                    throw RPCError(code: .invalidArgument, message: "a unary method takes one message")
                }
                first = message
            }
            guard let first else { throw RPCError(code: .invalidArgument, message: "the request has no message") }
            let answer = try await handler(first, context)
            return StreamingServerResponse { writer in
                try await writer.write(answer)
                return [:]
            }
        }
    }
}
