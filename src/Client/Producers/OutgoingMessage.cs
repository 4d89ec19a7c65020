using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Client.Producers;

/// <summary>A message, or a batch of them, checked and in the bytes in which it travels.</summary>
internal sealed class OutgoingMessage
{
    public required string Topic { get; init; }

    /// <summary>The id, or those of a batch's messages separated by commas.</summary>
    public required string MessageId { get; init; }

    public required ReadOnlyMemory<byte> Properties { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }

    public int SysFlag { get; init; }

    public int Flag { get; init; }

    public bool IsBatch { get; init; }

    /// <summary>How many messages it is.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Of a gray release; normal where the producer takes no part in any.</summary>
    public Side Side { get; init; }

    public MessagePurpose Purpose { get; init; }

    public RequestCode RequestCode =>
        IsBatch ? RequestCode.SendBatchMessage
        : Purpose == MessagePurpose.Reply ? RequestCode.SendReplyMessageV2
        : RequestCode.SendMessageV2;
}
