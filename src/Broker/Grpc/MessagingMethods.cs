using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Broker.Grpc.Clients;
using GrayMQ.Broker.Grpc.Receiving;
using GrayMQ.Broker.Grpc.Routes;
using GrayMQ.Broker.Grpc.Sending;
using GrayMQ.Grpc.Calls;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc;

/// <summary>
/// Every method of <c>apache.rocketmq.v2.MessagingService</c>. What a request is refused for stands in its answer's status; the call
/// itself fails for what is wrong with the call.
/// </summary>
internal sealed class MessagingMethods(
    GrpcClients clients,
    ClientService clientService,
    RouteService routes,
    SendService sending,
    EndingService endings,
    ReceiveService receiving,
    ReceiptService receipts,
    PullService pulling)
{
    private const string Service = "/apache.rocketmq.v2.MessagingService/";

    public MethodTable Table() => new MethodTable()
        .Unary<V2.QueryRouteRequest, V2.QueryRouteResponse>(
            Service + "QueryRoute", On<V2.QueryRouteRequest, V2.QueryRouteResponse>(
                routes.QueryRouteAsync, status => new() { Status = status }))
        .Unary<V2.QueryAssignmentRequest, V2.QueryAssignmentResponse>(
            Service + "QueryAssignment", On<V2.QueryAssignmentRequest, V2.QueryAssignmentResponse>(
                routes.QueryAssignmentAsync, status => new() { Status = status }))
        .Unary<V2.HeartbeatRequest, V2.HeartbeatResponse>(
            Service + "Heartbeat", On<V2.HeartbeatRequest, V2.HeartbeatResponse>(
                (caller, request) => new(clientService.Heartbeat(caller, request)), status => new() { Status = status }))
        .Unary<V2.NotifyClientTerminationRequest, V2.NotifyClientTerminationResponse>(
            Service + "NotifyClientTermination", On<V2.NotifyClientTerminationRequest, V2.NotifyClientTerminationResponse>(
                (caller, _) => new(ClientService.Terminate(caller)), status => new() { Status = status }))
        .Duplex<V2.TelemetryCommand>(Service + "Telemetry", clientService.TelemetryAsync)

        .Unary<V2.SendMessageRequest, V2.SendMessageResponse>(
            Service + "SendMessage", On<V2.SendMessageRequest, V2.SendMessageResponse>(
                sending.SendAsync, status => new() { Status = status }))
        .Unary<V2.EndTransactionRequest, V2.EndTransactionResponse>(
            Service + "EndTransaction", On<V2.EndTransactionRequest, V2.EndTransactionResponse>(
                endings.EndAsync, status => new() { Status = status }))
        .Unary<V2.RecallMessageRequest, V2.RecallMessageResponse>(
            Service + "RecallMessage", On<V2.RecallMessageRequest, V2.RecallMessageResponse>(
                endings.RecallAsync, status => new() { Status = status }))

        .ServerStreaming<V2.ReceiveMessageRequest>(
            Service + "ReceiveMessage", OnStream<V2.ReceiveMessageRequest, V2.ReceiveMessageResponse>(
                receiving.ReceiveAsync, status => new() { Status = status }))
        .Unary<V2.AckMessageRequest, V2.AckMessageResponse>(
            Service + "AckMessage", On<V2.AckMessageRequest, V2.AckMessageResponse>(
                receipts.AckAsync, status => new() { Status = status }))
        .Unary<V2.ChangeInvisibleDurationRequest, V2.ChangeInvisibleDurationResponse>(
            Service + "ChangeInvisibleDuration", On<V2.ChangeInvisibleDurationRequest, V2.ChangeInvisibleDurationResponse>(
                receipts.ChangeAsync, status => new() { Status = status }))
        .Unary<V2.ForwardMessageToDeadLetterQueueRequest, V2.ForwardMessageToDeadLetterQueueResponse>(
            Service + "ForwardMessageToDeadLetterQueue",
            On<V2.ForwardMessageToDeadLetterQueueRequest, V2.ForwardMessageToDeadLetterQueueResponse>(
                receipts.ForwardAsync, status => new() { Status = status }))

        .ServerStreaming<V2.PullMessageRequest>(
            Service + "PullMessage", OnStream<V2.PullMessageRequest, V2.PullMessageResponse>(
                pulling.PullAsync, status => new() { Status = status }))
        .Unary<V2.UpdateOffsetRequest, V2.UpdateOffsetResponse>(
            Service + "UpdateOffset", On<V2.UpdateOffsetRequest, V2.UpdateOffsetResponse>(
                pulling.UpdateOffsetAsync, status => new() { Status = status }))
        .Unary<V2.GetOffsetRequest, V2.GetOffsetResponse>(
            Service + "GetOffset", On<V2.GetOffsetRequest, V2.GetOffsetResponse>(
                pulling.GetOffsetAsync, status => new() { Status = status }))
        .Unary<V2.QueryOffsetRequest, V2.QueryOffsetResponse>(
            Service + "QueryOffset", On<V2.QueryOffsetRequest, V2.QueryOffsetResponse>(
                pulling.QueryOffsetAsync, status => new() { Status = status }))
        .Unary<V2.SyncLiteSubscriptionRequest, V2.SyncLiteSubscriptionResponse>(
            Service + "SyncLiteSubscription", On<V2.SyncLiteSubscriptionRequest, V2.SyncLiteSubscriptionResponse>(
                (_, _) => throw new MessagingException(V2.Code.Unsupported, "lite topics are not supported"),
                status => new() { Status = status }));

    private Func<GrpcCall, TRequest, ValueTask<TResponse>> On<TRequest, TResponse>(
        Func<Caller, TRequest, ValueTask<TResponse>> handle, Func<V2.Status, TResponse> refuse) =>
        async (call, request) =>
        {
            try
            {
                return await handle(clients.Identify(call), request).ConfigureAwait(false);
            }
            catch (MessagingException e)
            {
                return refuse(e.ToStatus());
            }
            catch (RemotingException e)
            {
                return refuse(Statuses.Of(e.Code, e.Message));
            }
            catch (HeaderFieldException e)
            {
                return refuse(Statuses.Of(V2.Code.InternalServerError, e.Message));
            }
        };

    private Func<GrpcCall, TRequest, Task> OnStream<TRequest, TResponse>(
        Func<GrpcCall, Caller, TRequest, Task> handle, Func<V2.Status, TResponse> refuse)
        where TResponse : class, Google.Protobuf.IMessage<TResponse> =>
        async (call, request) =>
        {
            try
            {
                await handle(call, clients.Identify(call), request).ConfigureAwait(false);
            }
            catch (MessagingException e)
            {
                call.Write(refuse(e.ToStatus()));
            }
            catch (RemotingException e)
            {
                call.Write(refuse(Statuses.Of(e.Code, e.Message)));
            }
        };
}
