using System.Diagnostics;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Telemetry;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Producers.Requesting;

/// <summary>
/// Sends replies to requests that came as messages (RocketMQ: MessageUtil.createReplyMessage). A broker hands them on to the client that
/// waits: that which stored the request knows it best, so it is asked first.
/// </summary>
internal sealed class Replier
{
    private readonly ClientSession _session;
    private readonly MessageEncoder _encoder;
    private readonly MessageSender _sender;

    public Replier(ClientSession session, string group, TimeSpan timeout, ILogger logger)
        : this(session, new ProducerOptions { Group = group, SendTimeout = timeout, Retries = 0 }, logger)
    {
    }

    private Replier(ClientSession session, ProducerOptions options, ILogger logger)
        : this(session, MessageEncoder.Create(options, session.Time), new MessageSender(session, options, logger))
    {
    }

    public Replier(ClientSession session, MessageEncoder encoder, MessageSender sender)
    {
        _session = session;
        _encoder = encoder;
        _sender = sender;
    }

    /// <exception cref="ArgumentException">The message is no request, or the body is empty.</exception>
    /// <exception cref="RouteNotFoundException">No broker of the cluster takes replies.</exception>
    /// <exception cref="BrokerException">The broker does not know whoever asked.</exception>
    public async Task ReplyAsync(ReceivedMessage request, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        string topic = Require(request, MessageProperty.Cluster) + TopicNames.ReplySuffix;
        using Activity? span = SendTelemetry.Start(topic);
        OutgoingMessage reply = _encoder.Encode(
            new Message(topic, body),
            MessagePurpose.Reply,
            (MessageProperty.MessageType, MessageProperty.MessageTypeReply),
            (MessageProperty.CorrelationId, Require(request, MessageProperty.CorrelationId)),
            (MessageProperty.ReplyToClient, Require(request, MessageProperty.ReplyToClient)),
            (MessageProperty.TimeToLive, Require(request, MessageProperty.TimeToLive)));
        TopicRoute? route = await _session.Routes.FindAsync(topic, cancel).ConfigureAwait(false);
        if (route is null || route.WritableQueues.IsEmpty)
        {
            throw new RouteNotFoundException($"no broker that is there takes replies: topic {topic} has no queue");
        }

        MessageQueue queue = route.WritableQueues.FirstOrDefault(
            queue => queue.BrokerName == request.BrokerName,
            route.WritableQueues[Random.Shared.Next(route.WritableQueues.Length)]);
        await _sender.SendAsync(reply, queue, cancel).ConfigureAwait(false);
    }

    private static string Require(ReceivedMessage request, string property) =>
        request.Properties.GetValueOrDefault(property)
        ?? throw new ArgumentException(
            $"message {request.MessageId} has no property {property}: it was not sent as a request", nameof(request));
}
