using System.Net;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using Microsoft.AspNetCore.Http.Features;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>
/// One request of a gRPC client, as the handler sees it: a peer that takes one answer. What is known of the client it shares with all
/// others of the client's requests.
/// </summary>
internal sealed class InnerCall(Caller caller, Action<RemotingCommand>? late) : RemotingPeer
{
    private readonly TaskCompletionSource<RemotingCommand> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<RemotingCommand> Answered => _answered.Task;

    /// <inheritdoc/>
    public override IPEndPoint? RemoteEndPoint => caller.Address;

    /// <inheritdoc/>
    public override RemotingPeer Client => caller.Peer;

    /// <inheritdoc/>
    public override IFeatureCollection Features => caller.Peer.Features;

    /// <inheritdoc/>
    public override bool IsClosed => _answered.Task.IsCanceled;

    /// <inheritdoc/>
    public override int RequestsInFlight => 1;

    /// <inheritdoc/>
    public override Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body,
        TimeSpan timeout,
        SerializeType type = SerializeType.Json,
        CancellationToken cancel = default) => caller.Peer.InvokeAsync(code, header, body, timeout, type, cancel);

    /// <inheritdoc/>
    public override bool SendOneWay<THeader>(
        RequestCode code, in THeader header, ReadOnlySpan<byte> body = default, SerializeType type = SerializeType.Json) =>
        caller.Peer.SendOneWay(code, in header, body, type);

    /// <inheritdoc/>
    public override void Abort(string reason) => caller.Peer.Abort(reason);

    /// <summary>Nobody waits for the answer any more.</summary>
    public void GiveUp(CancellationToken cancelled) => _answered.TrySetCanceled(cancelled);

    /// <inheritdoc/>
    protected override bool Answer<THeader, TBody>(
        in Responder request, ResponseCode code, string? remark, in THeader header, in TBody body)
    {
        if (_answered.Task.IsCompletedSuccessfully)
        {
            return false;
        }

        RemotingCommand answer = InnerAnswer.Make(code, remark, in header, in body);
        if (_answered.TrySetResult(answer))
        {
            return true;
        }

        if (!IsClosed)
        {
            return false;
        }

        late?.Invoke(answer);
        return true;
    }

    /// <inheritdoc/>
    protected override void AnsweredTwice(in Responder request)
    {
    }
}
