import ApusControlPlane
import SwiftProtobuf
import Testing

struct ReflectionIndexTests {
    private let index = ReflectionIndex.embedded

    @Test func theServicesAreThoseThatAreServed() {
        #expect(
            index.services == [
                "envoy.service.cluster.v3.ClusterDiscoveryService",
                "envoy.service.discovery.v3.AggregatedDiscoveryService",
                "envoy.service.endpoint.v3.EndpointDiscoveryService",
                "envoy.service.listener.v3.ListenerDiscoveryService",
                "envoy.service.route.v3.RouteDiscoveryService",
                "envoy.service.secret.v3.SecretDiscoveryService",
                "envoy.service.status.v3.ClientStatusDiscoveryService",
                "grpc.health.v1.Health",
                "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
            ])
    }

    @Test func everySymbolIsFoundInItsFile() {
        let ads = "envoy/service/discovery/v3/ads.proto"
        #expect(index.file(of: "envoy.service.discovery.v3.AggregatedDiscoveryService") == ads)
        #expect(
            index.file(of: "envoy.service.discovery.v3.AggregatedDiscoveryService.DeltaAggregatedResources") == ads)
        let discovery = "envoy/service/discovery/v3/discovery.proto"
        #expect(index.file(of: "envoy.service.discovery.v3.DeltaDiscoveryRequest") == discovery)
        #expect(index.file(of: "envoy.service.discovery.v3.DeltaDiscoveryRequest.response_nonce") == discovery)
        #expect(index.file(of: "grpc.health.v1.HealthCheckResponse.ServingStatus") == "grpc/health/v1/health.proto")
        #expect(index.file(of: "envoy.nothing") == nil)
        #expect(index.isMessage("google.protobuf.Any") && !index.isMessage("grpc.health.v1.Health"))
    }

    /// A client builds its types from the files of one answer, so none may be missing.
    @Test func theFilesOfAnAnswerImportOnlyEachOther() throws {
        for service in index.services {
            let file = try #require(index.file(of: service))
            let files = try #require(index.descriptors(of: file)).map {
                try Google_Protobuf_FileDescriptorProto(serializedBytes: $0)
            }
            #expect(files.first?.name == file)
            let names = Set(files.map(\.name))
            #expect(names.count == files.count)
            for file in files { #expect(names.isSuperset(of: file.dependency), "\(file.name)") }
        }
        #expect(index.descriptors(of: "none.proto") == nil)
    }

    @Test func descriptorsThatCannotBeReadLeaveItEmpty() {
        #expect(ReflectionIndex([0xFF, 0xFF, 0xFF]).services.isEmpty)
        #expect(ReflectionIndex([]).services.isEmpty)
    }
}
