using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;

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

    public static ConsumeFromWhere ToWhere(ConsumeFrom from) => from switch
    {
        ConsumeFrom.First => ConsumeFromWhere.FirstOffset,
        ConsumeFrom.Timestamp => ConsumeFromWhere.Timestamp,
        _ => ConsumeFromWhere.LastOffset,
    };
}
