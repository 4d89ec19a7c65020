using GrayMQ.NameServer.Gray.Databases;

namespace GrayMQ.NameServer.Tests.Gray;

public sealed class GrayDatabaseAddressTests
{
    [Fact]
    public void Address_OfPostgres_IsTakenApartAndShownWithoutPassword()
    {
        (GrayDatabaseAddress? address, _) = GrayDatabaseAddress.Parse("postgres://me:p%40ss@db.example:5433/gray?sslmode=require");

        Assert.Equal(("db.example", 5433, "gray", "me", "p@ss", true), (
            address!.Host, address.Port, address.Database, address.User, address.Password, address.RequireTls));
        Assert.Equal("postgres://me@db.example:5433/gray", address.ToString());
    }

    [Fact]
    public void Address_WithoutScheme_IsAFile() => Assert.Equal("a/gray.db", GrayDatabaseAddress.Parse("a/gray.db").Address!.Path);

    [Theory]
    [InlineData("")]
    [InlineData("mysql://me@host/db")]
    [InlineData("postgres://host/db")]
    [InlineData("postgres://me@host")]
    [InlineData("postgres://me@host/db?sslmode=maybe")]
    [InlineData("postgres://me@host/db?pool=1")]
    public void Address_ThatIsNone_SaysWhatIsExpected(string text)
    {
        (GrayDatabaseAddress? address, string? expected) = GrayDatabaseAddress.Parse(text);

        Assert.Null(address);
        Assert.Contains("postgres://user:password@host/database", expected, StringComparison.Ordinal);
    }
}
