using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Consumers.Offsets;

/// <summary>What can be done with any kind of store.</summary>
internal static class OffsetStoreExtensions
{
    /// <summary>Stores what can be stored: the store has logged the rest, and another attempt will follow, or nobody can help it.</summary>
    public static async Task PersistQuietlyAsync(
        this IOffsetStore store, IReadOnlyCollection<MessageQueue> queues, CancellationToken cancel) =>
        await store.PersistAsync(queues, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
