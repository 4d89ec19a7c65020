using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Client.Consumers;

/// <summary>How consumers present themselves to brokers.</summary>
internal static class ConsumerIdentity
{
    /// <summary>
    /// The client id. That of a broadcasting consumer is the same at every start, because its offsets are kept under it.
    /// </summary>
    public static string Create(ConsumerOptions options) => ClientIdentity.Create(
        options.InstanceName
        ?? (options.MessageModel == MessageModel.Broadcasting ? ClientIdentity.SharedInstanceName : null));

    /// <summary>What tools are told of a consumer as a whole (RocketMQ: ConsumerRunningInfo's properties).</summary>
    public static Dictionary<string, string> Describe(ClientOptions options, string consumeType) => new()
    {
        ["PROP_NAMESERVER_ADDR"] = options.NameServers,
        ["PROP_CONSUME_TYPE"] = consumeType,
        ["PROP_CLIENT_VERSION"] = $"GrayMQ.Client, protocol {RemotingCommand.CurrentVersion}",
    };

    public static ConsumeFromWhere ToWhere(ConsumeFrom from) => from switch
    {
        ConsumeFrom.First => ConsumeFromWhere.FirstOffset,
        ConsumeFrom.Timestamp => ConsumeFromWhere.Timestamp,
        _ => ConsumeFromWhere.LastOffset,
    };
}
