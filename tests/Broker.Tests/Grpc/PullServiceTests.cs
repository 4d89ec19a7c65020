using System.Net;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Grpc.Clients;
using GrayMQ.Broker.Grpc.Receiving;
using GrayMQ.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using GrayMQ.Grpc.Servers;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>What a pull is answered when, while it waited, clients have left as much unread as may be kept for them.</summary>
public sealed class PullServiceTests
{
    private const string Method = "/test/Pull";
    private const long Budget = 1_000_000;
    private const long NextOffset = 7;

    [Theory]
    [InlineData(ResponseCode.PullNotFound, V2.Code.MessageNotFound)]
    [InlineData(ResponseCode.PullOffsetMoved, V2.Code.IllegalOffset)]
    public async Task Pull_WithoutMessages_TellsWhereToGoOnAllTheSame(ResponseCode code, V2.Code expected)
    {
        IReadOnlyList<V2.PullMessageResponse> answer = await PullAsync(code);

        Assert.Equal([expected], answer.Where(each => each.Status is not null).Select(each => each.Status.Code));
        Assert.Equal(NextOffset, answer[^1].NextOffset);
    }

    [Fact]
    public async Task Pull_WithMessages_IsRefused()
    {
        IReadOnlyList<V2.PullMessageResponse> answer = await PullAsync(ResponseCode.Success);

        Assert.Equal(V2.Code.TooManyRequests, Assert.Single(answer).Status.Code);
    }

    private static async Task<IReadOnlyList<V2.PullMessageResponse>> PullAsync(ResponseCode code)
    {
        var untaken = new ByteBudget(Budget);
        RequestTable requests = new RequestTable().On<PullMessageHeader>(RequestCode.PullMessage, (request, _) =>
        {
            untaken.TakeAnyway(Budget);
            request.Responder.Reply(code, remark: null, new PullMessageResponseHeader { NextBeginOffset = NextOffset });
            return ValueTask.CompletedTask;
        });
        var service = new PullService(new InnerRequests(requests), untaken);
        var caller = new Caller("client", Namespace: "", Version: "5.0.7", LanguageCode.Java, Address: null, Client: null, new UnknownPeer(null));
        MethodTable methods = new MethodTable().ServerStreaming<V2.PullMessageRequest>(Method, async (call, request) =>
        {
            try
            {
                await service.PullAsync(call, caller, request);
            }
            catch (MessagingException e)
            {
                call.Write(new V2.PullMessageResponse { Status = e.ToStatus() });
            }
        });
        var options = new GrpcServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), MaxMessageBytes = (int)Budget };
        await using var server = new GrpcServer(options, methods, TimeProvider.System, NullLoggerFactory.Instance);
        await server.StartAsync();
        using var client = new RawGrpcClient(server.EndPoint);
        RawGrpcClient.Answer answer = await client.CallAsync(Method, new V2.PullMessageRequest
        {
            Group = new V2.Resource { Name = "G" },
            MessageQueue = new V2.MessageQueue { Topic = new V2.Resource { Name = "T" } },
            BatchSize = 1,
        });
        Assert.True(answer.Status == GrpcStatusCode.Ok, answer.Message);
        return [.. answer.Messages.Select(message => V2.PullMessageResponse.Parser.ParseFrom(message.Bytes))];
    }
}
