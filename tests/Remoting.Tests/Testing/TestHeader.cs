using GrayMQ.Protocol.Commands;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>A header with a number and a text.</summary>
internal readonly record struct TestHeader(int Number, string? Text = null) : ICommandHeader<TestHeader>
{
    public static TestHeader Read(HeaderFields fields) => new(fields.GetInt32("number"u8), fields.FindString("text"u8));

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("number"u8, Number);
        writer.Write("text"u8, Text);
    }
}
