using System.Buffers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>
/// Puts what gRPC clients ask to the broker's request handlers: the same ones, with the same rules, that answer the remoting protocol.
/// Headers go in as values, without ever being a frame.
/// </summary>
internal sealed class InnerRequests(RequestTable table)
{
    private static readonly HeaderFields NoFields = new();

    /// <summary>The handler's answer, whatever its code; it owns its header and body.</summary>
    /// <param name="body">Stays as it is until the task has ended.</param>
    /// <param name="cancel">Ends the wait. Who was parked is taken off soon after; <paramref name="late"/> gets what was answered after all.</param>
    public async ValueTask<RemotingCommand> AskAsync<THeader>(
        Caller caller,
        RequestCode code,
        THeader header,
        ReadOnlySequence<byte> body = default,
        Action<RemotingCommand>? late = null,
        CancellationToken cancel = default)
    {
        RequestHandler<THeader> handle = table.HandlerOf<THeader>(code);
        var call = new InnerCall(caller, late);
        var responder = new Responder(call, code, Opaque: 0, SerializeType.RocketMq, IsOneWay: false);
        try
        {
            await handle(new RemotingRequest(responder, caller.Language, RemotingCommand.CurrentVersion, NoFields, body), header)
                .ConfigureAwait(false);
        }
        catch (RemotingException e)
        {
            responder.Reply(e.Code, e.Message);
        }
        catch (Exception e) when (e is HeaderFieldException or BodyFormatException)
        {
            responder.Reply(ResponseCode.InvalidParameter, e.Message);
        }

        if (!cancel.CanBeCanceled || call.Answered.IsCompleted)
        {
            return await call.Answered.ConfigureAwait(false);
        }

        using CancellationTokenRegistration registration = cancel.UnsafeRegister(
            static (call, token) => ((InnerCall)call!).GiveUp(token), call);
        return await call.Answered.ConfigureAwait(false);
    }
}
