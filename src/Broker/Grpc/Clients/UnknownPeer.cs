using System.Net;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using Microsoft.AspNetCore.Http.Features;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>Whoever calls without having told settings: it can ask, and not be asked.</summary>
internal sealed class UnknownPeer(IPEndPoint? address) : RemotingPeer
{
    private readonly FeatureCollection _features = [];

    /// <inheritdoc/>
    public override IPEndPoint? RemoteEndPoint { get; } = address;

    /// <inheritdoc/>
    public override IFeatureCollection Features => _features;

    /// <summary>Whoever it is has gone with the call: nothing is to be kept of it.</summary>
    public override bool IsClosed => true;

    /// <inheritdoc/>
    public override int RequestsInFlight => 0;

    /// <inheritdoc/>
    public override Task<RemotingCommand> InvokeAsync<THeader>(
        RequestCode code,
        THeader header,
        ReadOnlyMemory<byte> body,
        TimeSpan timeout,
        SerializeType type = SerializeType.Json,
        CancellationToken cancel = default) =>
        Task.FromException<RemotingCommand>(new ConnectionClosedException("the client has no telemetry stream"));

    /// <inheritdoc/>
    public override bool SendOneWay<THeader>(
        RequestCode code, in THeader header, ReadOnlySpan<byte> body = default, SerializeType type = SerializeType.Json) => false;

    /// <inheritdoc/>
    public override void Abort(string reason)
    {
    }

    /// <inheritdoc/>
    protected override bool Answer<THeader, TBody>(
        in Responder request, ResponseCode code, string? remark, in THeader header, in TBody body) => false;

    /// <inheritdoc/>
    protected override void AnsweredTwice(in Responder request)
    {
    }
}
