namespace GrayMQ.Broker.Metadata;

/// <summary>Metadata on disk that cannot be used; the message names the file and the place in it.</summary>
public sealed class MetadataException : Exception
{
    public MetadataException()
    {
    }

    public MetadataException(string message)
        : base(message)
    {
    }

    public MetadataException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
