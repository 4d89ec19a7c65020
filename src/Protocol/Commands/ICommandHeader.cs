namespace GrayMQ.Protocol.Commands;

/// <summary>The named fields of a command, written to the wire.</summary>
public interface IHeaderFields
{
    /// <summary>Writes each field that is set; a field that is null is left out.</summary>
    void Write(ref HeaderWriter writer);
}

/// <summary>The named fields of one kind of command, read from the wire and written to it.</summary>
public interface ICommandHeader<TSelf> : IHeaderFields
    where TSelf : ICommandHeader<TSelf>
{
    /// <summary>Reads the fields of a decoded command.</summary>
    /// <exception cref="HeaderFieldException">A field is missing or malformed.</exception>
    static abstract TSelf Read(HeaderFields fields);
}

/// <summary>A header without fields.</summary>
public readonly record struct NoHeader : ICommandHeader<NoHeader>
{
    public static NoHeader Read(HeaderFields fields) => default;

    public void Write(ref HeaderWriter writer)
    {
    }
}
