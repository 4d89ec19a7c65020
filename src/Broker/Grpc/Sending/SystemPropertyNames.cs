using System.Collections.Frozen;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>Properties that are RocketMQ's own: clients may not set them, and are not shown them (RocketMQ: MessageConst.STRING_HASH_SET).</summary>
internal static class SystemPropertyNames
{
    private static readonly FrozenSet<string> Names = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            .. ReservedProperties.Names,

            // Not in RocketMQ's list, yet each would change what becomes of the message.
            MessageProperty.ShardingKey,
            MessageProperty.TransactionId,
            MessageProperty.TransactionCheckTimes,
            MessageProperty.CheckImmunityTimeSeconds,
            MessageProperty.TraceContext,
            MessageProperty.InnerNumber,
            MessageProperty.InnerBase,
            MessageProperty.ForwardQueueId,
            MessageProperty.Redirect,
            MessageProperty.InnerMultiDispatch,
        ]);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> NamesByText = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    public static bool Contains(ReadOnlySpan<char> name) => NamesByText.Contains(name);
}
