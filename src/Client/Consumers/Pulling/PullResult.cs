using GrayMQ.Client.Admin;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Pulling;

/// <summary>What a pull brought; offsets count messages.</summary>
/// <param name="NextOffset">Where to pull next.</param>
/// <param name="MinOffset">The first message that the queue still has.</param>
/// <param name="MaxOffset">Where the next message of the queue will be.</param>
internal sealed record PullResult(
    PullStatus Status, long NextOffset, long MinOffset, long MaxOffset, IReadOnlyList<ReceivedMessage> Messages);
