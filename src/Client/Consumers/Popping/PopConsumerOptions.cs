namespace GrayMQ.Client.Consumers.Popping;

/// <summary>Settings of a <see cref="PopConsumer"/>.</summary>
public sealed class PopConsumerOptions : PopOptions;
