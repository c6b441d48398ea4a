internal import ApusAPI
internal import Foundation
internal import GRPCCore
internal import SwiftProtobuf

/// `grpc.reflection.v1.ServerReflection`, and the same service under its older name: tools learn from it which services
/// there are and how their messages are written.
struct ReflectionService: RegistrableRPCService {
    static let names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]

    let index = ReflectionIndex.embedded

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for name in Self.names {
            router.registerRaw(service: name, method: "ServerReflectionInfo") { [index] request, _ in
                StreamingServerResponse { writer in
                    var iterator = request.messages.makeAsyncIterator()
                    while let bytes = try await iterator.next() {
                        // Both versions have one form on the wire.
                        guard let question = try? Grpc_Reflection_V1_ServerReflectionRequest(serializedBytes: bytes)
                        else {
                            throw RPCError(code: .invalidArgument, message: "the request cannot be decoded")
                        }
                        try await writer.write(try Self.answer(question, index).serializedBytes())
                    }
                    return [:]
                }
            }
        }
    }

    private static func answer(
        _ question: Grpc_Reflection_V1_ServerReflectionRequest, _ index: ReflectionIndex
    ) -> Grpc_Reflection_V1_ServerReflectionResponse {
        var response = Grpc_Reflection_V1_ServerReflectionResponse()
        response.validHost = question.host
        response.originalRequest = question
        func files(_ name: String?, _ what: String) {
            guard let descriptors = name.flatMap(index.descriptors(of:)) else {
                return refuse(.notFound, "there is no \(what.prefix(256))")
            }
            response.fileDescriptorResponse.fileDescriptorProto = descriptors.map { Data($0) }
        }
        func refuse(_ code: Status.Code, _ message: String) {
            response.errorResponse.errorCode = Int32(code.rawValue)
            response.errorResponse.errorMessage = message
        }
        switch question.messageRequest {
        case .listServices:
            response.listServicesResponse.service = index.services.map { name in
                var service = Grpc_Reflection_V1_ServiceResponse()
                service.name = name
                return service
            }
        case .fileByFilename(let name): files(name, "file \(name)")
        case .fileContainingSymbol(let name): files(index.file(of: name), "symbol \(name)")
        case .allExtensionNumbersOfType(let name):
            guard index.isMessage(name) else {
                refuse(.notFound, "there is no message \(name.prefix(256))")
                break
            }
            // proto3 messages have no extensions.
            response.allExtensionNumbersResponse.baseTypeName = name
        case .fileContainingExtension: refuse(.notFound, "there are no extensions")
        case nil: refuse(.invalidArgument, "the request asks nothing")
        }
        return response
    }
}
