using System.Diagnostics;
using System.Globalization;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Telemetry;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Producers.Requesting;

/// <summary>Sends messages and waits for the replies of those who handle them (RocketMQ: DefaultMQProducer.request).</summary>
internal sealed class Requester(
    ClientSession session, MessageEncoder encoder, MessageSender sender, Heartbeats heartbeats, PendingRequests pending)
{
    /// <param name="select">Chooses the queue; null lets queues take turns.</param>
    /// <exception cref="TimeoutException">No reply came in time.</exception>
    public async Task<ReceivedMessage> RequestAsync(
        Message message, Func<CancellationToken, Task<MessageQueue>>? select, TimeSpan timeout, CancellationToken cancel)
    {
        var deadline = new Deadline(session.Time, timeout);
        string correlationId = Guid.NewGuid().ToString();
        using Activity? span = SendTelemetry.Start(message.Topic);
        OutgoingMessage outgoing = encoder.Encode(
            message,
            MessagePurpose.Delivery,
            (MessageProperty.CorrelationId, correlationId),
            (MessageProperty.ReplyToClient, session.ClientId),
            (MessageProperty.TimeToLive, ((long)timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)));
        await IntroduceAsync(message.Topic, cancel).ConfigureAwait(false);
        Task<ReceivedMessage> reply = pending.Add(correlationId);
        try
        {
            if (select is null)
            {
                await sender.SendAsync(outgoing, cancel).ConfigureAwait(false);
            }
            else
            {
                MessageQueue queue = await select(cancel).ConfigureAwait(false);
                await sender.SendAsync(outgoing, queue, cancel).ConfigureAwait(false);
            }

            // What it takes to be answered is no part of sending.
            span?.Stop();
            return await reply.WaitAsync(deadline.Limit(null), session.Time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException) when (deadline.Left <= TimeSpan.Zero)
        {
            throw new TimeoutException(
                $"no reply to a request of topic {message.Topic} came within {timeout.TotalMilliseconds:F0} ms");
        }
        finally
        {
            pending.Remove(correlationId);
        }
    }

    // A reply comes from whichever broker of the cluster it was sent to, which finds this client by its heartbeat only.
    private async ValueTask IntroduceAsync(string topic, CancellationToken cancel)
    {
        if (await session.Routes.FindAsync(topic, cancel).ConfigureAwait(false) is { } route)
        {
            foreach (string? cluster in route.Data.BrokerDatas.Select(broker => broker.Cluster).Distinct())
            {
                if (!string.IsNullOrEmpty(cluster))
                {
                    await session.Routes.FindAsync(cluster + TopicNames.ReplySuffix, cancel).ConfigureAwait(false);
                }
            }
        }

        await heartbeats.IntroduceAsync(cancel).ConfigureAwait(false);
    }
}
