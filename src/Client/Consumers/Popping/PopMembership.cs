using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>How pop consumers present themselves to brokers.</summary>
internal static class PopMembership
{
    /// <summary>As tools are told (RocketMQ: ConsumeType).</summary>
    public const string ConsumeTypeName = "CONSUME_POP";

    public static GroupMembership Create(PopOptions options, ILogger logger, ILoggerFactory loggers, TimeProvider time)
    {
        var membership = new GroupMembership(
            new MemberDescription(options.Group, ConsumeType.Pop, MessageModel.Clustering, options.ConsumeFrom),
            options,
            ClientIdentity.Create(options.InstanceName),
            logger,
            loggers,
            time);
        foreach ((string topic, string expression) in options.Subscriptions)
        {
            membership.Subscribe(topic, MessageSelector.ByTag(expression));
        }

        return membership;
    }
}
