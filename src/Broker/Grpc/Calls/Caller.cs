using System.Net;
using GrayMQ.Broker.Grpc.Clients;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>Who makes a call.</summary>
/// <param name="ClientId">As it calls itself (x-mq-client-id).</param>
/// <param name="Namespace">What its names stand in unless they say otherwise (x-mq-namespace); empty for none.</param>
/// <param name="Version">The version of its library (x-mq-client-version); empty when it does not say.</param>
/// <param name="Client">What is known of it; null before its settings have come.</param>
/// <param name="Peer">What handlers take it for.</param>
internal sealed record Caller(
    string ClientId,
    string Namespace,
    string Version,
    LanguageCode Language,
    IPEndPoint? Address,
    GrpcClient? Client,
    RemotingPeer Peer);
