using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>What a message that is handed out says beside what is stored.</summary>
/// <param name="topic">The name under which it is shown, wherever it is stored; UTF-8.</param>
/// <param name="language">The library that is to read it.</param>
internal readonly ref struct Delivery(ReadOnlySpan<byte> topic, LanguageCode language)
{
    public ReadOnlySpan<byte> Topic { get; } = topic;

    public LanguageCode Language { get; } = language;

    /// <summary>The receipt, UTF-8; empty for none.</summary>
    public ReadOnlySpan<byte> Receipt { get; init; }

    /// <summary>How long it stays invisible; null when it was not popped.</summary>
    public long? InvisibleMs { get; init; }

    /// <summary>Deliveries before this one that are not in its count of attempts.</summary>
    public int DeliveriesBefore { get; init; }
}
