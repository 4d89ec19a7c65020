using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Dispatch;

/// <summary>Gives messages that could not be handled back to their broker, which delivers them again later.</summary>
internal sealed class SendBack(ClientSession session, string group, int maxReconsumeTimes, ILogger logger)
{
    /// <summary>Whether the broker has taken the message back.</summary>
    /// <param name="delayLevel">When it is to come again: see <see cref="DelayLevels"/>.</param>
    public async ValueTask<bool> TrySendAsync(ReceivedMessage message, int delayLevel, CancellationToken cancel)
    {
        try
        {
            string address = await RequireMasterAsync(message, cancel).ConfigureAwait(false);
            var header = new ConsumerSendMessageBackHeader
            {
                PhysicalOffset = message.PhysicalOffset,
                Group = group,
                DelayLevel = delayLevel,
                OriginMessageId = message.OffsetMessageId,
                OriginTopic = message.Topic,
                MaxReconsumeTimes = maxReconsumeTimes,
            };
            await session.Servers
                .CallAsync(address, RequestCode.ConsumerSendMessageBack, header, cancel: cancel)
                .ConfigureAwait(false);
            return true;
        }
        catch (Exception e)
        {
            Log.SendBackFailed(logger, message.MessageId, e.Message);
            return false;
        }
    }

    // A message of the retry topic bears its original one, which may live elsewhere: the broker is found by either.
    private async ValueTask<string> RequireMasterAsync(ReceivedMessage message, CancellationToken cancel)
    {
        string brokerName = message.BrokerName ?? "";
        foreach (string topic in (string[])[message.Topic, TopicNames.RetryOf(group)])
        {
            TopicRoute? route = await session.Routes.FindAsync(topic, cancel).ConfigureAwait(false);
            if (route?.FindMaster(brokerName) is { } address)
            {
                return address;
            }
        }

        throw new RouteNotFoundException($"no master of broker {brokerName} is there");
    }
}
