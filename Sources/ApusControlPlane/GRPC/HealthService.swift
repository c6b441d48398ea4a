internal import ApusAPI
internal import GRPCCore
internal import SwiftProtobuf

/// `grpc.health.v1.Health`: serving once the first snapshot is.
struct HealthService: RegistrableRPCService {
    static let name = "grpc.health.v1.Health"

    let pipeline: Pipeline
    let known: Set<String>

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerRawUnary(service: Self.name, method: "Check") { [self] bytes, _ in
            let request = try Grpc_Health_V1_HealthCheckRequest(serializedBytes: bytes)
            guard request.service.isEmpty || known.contains(request.service) else {
                throw RPCError(code: .notFound, message: "there is no service \(request.service.prefix(256))")
            }
            return try await status().serializedBytes()
        }
        router.registerRaw(service: Self.name, method: "Watch") { [self] request, _ in
            StreamingServerResponse { writer in
                var iterator = request.messages.makeAsyncIterator()
                guard let bytes = try await iterator.next() else { return [:] }
                let request = try Grpc_Health_V1_HealthCheckRequest(serializedBytes: bytes)
                guard request.service.isEmpty || known.contains(request.service) else {
                    var unknown = Grpc_Health_V1_HealthCheckResponse()
                    unknown.status = .serviceUnknown
                    try await writer.write(try unknown.serializedBytes())
                    return [:]
                }
                try await writer.write(try await status().serializedBytes())
                if await !pipeline.isReady {
                    await pipeline.whenReady()
                    try await writer.write(try await status().serializedBytes())
                }
                // The state does not change again; the stream stays until the client leaves or the server stops.
                await Cancellation.wait()
                return [:]
            }
        }
    }

    private func status() async -> Grpc_Health_V1_HealthCheckResponse {
        var response = Grpc_Health_V1_HealthCheckResponse()
        response.status = await pipeline.isReady ? .serving : .notServing
        return response
    }
}

enum Cancellation {
    /// Returns when the call is cancelled by its client or by a stopping server.
    static func wait() async {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        await withRPCCancellationHandler {
            for await _ in signals {}
        } onCancelRPC: {
            continuation.finish()
        }
    }
}
